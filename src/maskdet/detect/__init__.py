"""The detect command's run: who in these pictures wears a mask?"""
