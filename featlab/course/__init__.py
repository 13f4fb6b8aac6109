"""What the notebooks need beside the paper: set-up, exercises, words for those who do not see."""
