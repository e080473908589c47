"""The typed report and its forms. Pure."""
