"""What is asked, and how it runs: candidates, problems, schedules, faults."""
