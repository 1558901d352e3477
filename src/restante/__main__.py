"""`python -m restante`: the same as the command."""

from restante.cli import main

if __name__ == "__main__":
    main()
