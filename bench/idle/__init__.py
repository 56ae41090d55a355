"""What bench/connections and bench/flat have in common."""
