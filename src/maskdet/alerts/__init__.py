"""Telling somebody of faces without a mask, or with one worn incorrectly, whoever watches them.

`watch` decides of whom, `delivery` sees to it that the alert arrives, `channels` are its ways out.
"""
