"""The dashboard: reads the published gold tables and writes nothing."""
