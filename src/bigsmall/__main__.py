"""`python -m bigsmall` is the command `bigsmall`."""

from bigsmall.cli import main

main()
