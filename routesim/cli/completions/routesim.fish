# fish completion for routesim. The answer's first line is its kind, every other one a name with its help behind a tab.
function __routesim_complete
    set -l before (commandline -opc)
    set -l token (commandline -ct)
    set -l answer (_ROUTESIM_COMPLETE=fish_complete command $before[1] $before "$token" 2>/dev/null </dev/null)
    switch "$answer[1]"
        case files
            __fish_complete_path "$token"
        case folders
            __fish_complete_directories "$token" ''
        case '*'
            printf '%s\n' $answer[2..-1]
    end
end
complete -c routesim -f -a '(__routesim_complete)'
