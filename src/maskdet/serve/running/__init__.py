"""The life of the service: starting, signals, the system's watchdog, checking, ending."""
