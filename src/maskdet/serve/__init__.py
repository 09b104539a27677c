"""Cameras watched for months: `maskdet serve`.

`site` says what to watch, `watching` does it, `showing` is what of it can be seen now, `telling`
sees to it that alerts arrive, `storing` remembers, `recording` keeps pictures, `running` is the
service's life; `hub` is where all meet, and what the web server stands on.
"""
