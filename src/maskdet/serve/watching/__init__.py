"""From a camera to what is known of it now: reading, the shared networks, states, people."""
