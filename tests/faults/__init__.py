"""The fault harness: scripted scenarios of runs, the alerts they must cause, and the alerts that arrived."""
