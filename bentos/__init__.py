"""What is served: the predictor, the HTTP service, the Lambda handler and the prediction log."""
