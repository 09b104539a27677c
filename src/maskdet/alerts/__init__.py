"""Telling somebody of a face without a mask: for detect and whatever else watches."""
