"""The instrument: starts the steps and their competitors, loads them, and turns what it saw into figures and text.

Way of a figure: catalogue → servers → load, cost → plan → results/measured.json → plots, text → the two READMEs.
"""
