"""Every source × spelling × type × outcome of a parameter: the table, and the handlers that are written from it."""
