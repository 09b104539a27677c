"""Telling somebody of a face without a mask: for detect and whatever else watches.

`watch` decides of whom, `delivery` sees to it that the alert arrives, `channels` are its ways out.
"""
