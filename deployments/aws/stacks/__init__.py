"""The stacks, a module each: the network, the Lambda, the service, the loop."""
