"""Long-running searches for faults; README.md tells of each. The tests run a short piece of every one."""
