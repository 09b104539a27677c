"""What is seen in one frame: faces, masks and heat maps, with numpy, OpenCV and LiteRT alone."""
