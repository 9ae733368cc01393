# fish completion for routesim. The answer's first line is its kind, which fish need not know; every other one a name
# with its help behind a tab.
function __routesim_complete
    set -l before (commandline -opc)
    set -l token (commandline -ct)
    set -l answer (_ROUTESIM_COMPLETE=fish_complete command $before[1] $before "$token" 2>/dev/null </dev/null)
    test (count $answer) -gt 1; and printf '%s\n' $answer[2..-1]
end
complete -c routesim -f -a '(__routesim_complete)'
