"""The bench: this server and the others found on the machine, under the same load, with the same configuration, on loopback.

A tool beside the command line; it starts servers as programs and knows nothing of their insides, ours included.

    workloads → site + configure → launch → (wrk | ab | loadgen) + proc → results → stats, bars → show, report, plots, compare
"""
