"""How maps look: colours, overlays, panels, and the picture they make together."""
