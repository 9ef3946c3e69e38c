"""Servers and stores that tests run against."""
