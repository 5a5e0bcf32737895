"""Our own minimal versions of other ways to lift, to compare with on equal data and steps."""
