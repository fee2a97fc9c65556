"""What `make up` is made of on one machine: its processes, ports, environment and watches."""
