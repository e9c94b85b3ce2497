"""One protocol each, narrow: the only place that talks to sockets and translates other people's exceptions."""
