"""Who may see the cameras: users and their passwords, sessions, the check before every route."""
