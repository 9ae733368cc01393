"""The command line: parse, call, pick a report, exit status. One file a command."""
