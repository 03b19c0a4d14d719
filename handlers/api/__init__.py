"""The front door: Step Functions' own API, `AWSStepFunctions.*` in AWS JSON 1.0, over a function URL.

`front_door` takes the HTTP request apart and puts the answer together; every operation is a function of the
runtime, the tenant and the request's parameters, in the file of what it is about. What an operation takes,
answers and refuses is as the AWS Step Functions API reference says.
"""
