"""The MCP surface: eight read-only tools, resources and prompts."""
