"""`python -m routesim`."""

from routesim.cli.main import main

if __name__ == "__main__":
    main()
