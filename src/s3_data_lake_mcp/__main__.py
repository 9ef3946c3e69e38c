"""Run the command line: `python -m s3_data_lake_mcp`."""

import sys

from s3_data_lake_mcp.cli import main

if __name__ == "__main__":
    sys.exit(main())
