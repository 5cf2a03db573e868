"""What buyers say of products and ask about them, and what sellers answer."""
