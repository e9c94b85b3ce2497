"""What follows a run: each output gets the result, and none can fail, delay or garble the run.

output.py     the interface of an output, and what calls them
ping.py       the ping URL of a monitoring service
heartbeat.py  the heartbeat file

Like a channel, an output declares its options in its own file.
"""
