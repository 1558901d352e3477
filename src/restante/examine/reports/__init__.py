"""What an examination found, told in several ways: for the terminal, programs, CI and people.

Every report is made from an `Examination` alone, is the same for the same one, and shows what a
server said in printable ASCII (`shown.py`).
"""
