"""The heatmap command's run: where in the face did the answer come from?"""
