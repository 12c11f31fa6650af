"""C in, findings out: what a driver's source says, held against the device's spec."""
