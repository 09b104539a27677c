"""What a finished study says: figures, a page, tables, a contact sheet."""
