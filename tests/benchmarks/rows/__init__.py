"""How each row is measured: functions from an empty folder to a `Result`."""
