"""Mistakes that were planted on purpose, as data, and the program that plants them and watches them die."""
