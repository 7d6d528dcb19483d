"""What `Explanation.print` writes: 80 columns suffice, colours repeat what signs say, ASCII terminals get ASCII."""
