"""mailmon: does this mail server really take, deliver and show mail?"""

__version__ = "0.1.0"
