"""Log targets and the error log: files, programs and syslog, opened by the parent, written by everyone.

    writer    lines for one descriptor, never waiting
    targets   what a target's name means: a file, a program
    syslog    lines for the system's logger
    formats   `ErrorLogFormat`
    errors    the error log of each server
    rotation  a log in a row of files, for `coachwhip rotatelogs`

Knows no loop: a worker says how a turn's lines are to be gathered (`LogRoom.attach`).
"""
