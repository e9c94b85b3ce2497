"""The fault harness: scripted histories, what a person had to be told in them, and what reached whom."""
