"""What has been seen: history, incidents, feedback, checkpoints."""
