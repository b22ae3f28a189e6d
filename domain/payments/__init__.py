"""What is known of payments, disputes and payment companies' days."""
