"""What each generator writes into its images."""
