"""The conformance suite: black-box cases over a socket, for any POP3 server.

Nothing here imports the rest of the project: a judge that shares the parser shares its bugs.
"""
