# bash completion for routesim. Every line of the answer after the first is quoted for the command line already.
_routesim() {
    local kind='' reply
    COMPREPLY=()
    while IFS= read -r reply || [[ -n $reply ]]; do
        if [[ -z $kind ]]; then
            kind=$reply
        else
            COMPREPLY+=("$reply")
        fi
    done < <(_ROUTESIM_COMPLETE=bash_complete "$1" "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null </dev/null)
    case $kind in
        files) compopt -o bashdefault -o default ;;
        folders) compopt -o dirnames ;;
        open) compopt -o nospace ;;
    esac 2>/dev/null
}
complete -o nosort -F _routesim routesim 2>/dev/null || complete -F _routesim routesim
