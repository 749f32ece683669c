"""What people see: widgets over core, bridge and models; never a backend or an SDK."""
