"""Class folders, the form a data set has on disk: their pictures, parts and boxes."""
