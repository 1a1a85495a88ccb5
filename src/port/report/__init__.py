"""What one run did to every file, and the four ways to print it: terminal text, JSON, SARIF, GitHub annotations."""
