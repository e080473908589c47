"""Ground floor: types, contracts, pure functions."""
