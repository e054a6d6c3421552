"""What happens in a run: its events, the recorder that writes them, and the Run that they fold into."""
